// Package check finds what start-up would find, for `heimdalld -check`, and leaves the daemon that runs alone.
//
//	the text of the file:  settings.Load      keys and values, line by line
//	what it names:         check.Config       CPUs, memory, root hints, trust anchors, zones
//	the machine:           check.Machine      addresses, the admin socket, folders, interfaces
package check
