//go:build !race

package resolver_test

const race = false
