package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts of script_test.go run this test binary as cordon.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cordon": main})
}
