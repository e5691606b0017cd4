// Package process adapts what belongs to the process as a whole: the pace of its garbage collector and the limit of its open
// files.
package process
