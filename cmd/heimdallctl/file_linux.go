package main

import "golang.org/x/sys/unix"

// noFollow has a file not be opened if its name is a link.
const noFollow = unix.O_NOFOLLOW
