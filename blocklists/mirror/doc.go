// Package mirror keeps copies of lists that lie elsewhere, so that a list from afar is a file like any other to those who load it.
package mirror
