//go:build !linux

package main

// lowerPriority does nothing where threads have no priorities of their own.
func lowerPriority() {}
