// Package report makes the report for those who decided the bans.
package report
