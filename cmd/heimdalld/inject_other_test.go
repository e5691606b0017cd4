//go:build !amd64

package main

// runTracer does nothing: the tests that trace are for amd64.
func runTracer() {}
