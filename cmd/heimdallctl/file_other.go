//go:build !linux

package main

// noFollow has no flag here.
const noFollow = 0
