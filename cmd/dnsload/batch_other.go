//go:build !linux || !(amd64 || arm64)

package main

// openBatches is always nil here: the plain sockets are used.
func openBatches(*options) (network, error) { return nil, nil } //nolint:nilnil // as documented
