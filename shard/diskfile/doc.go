// Package diskfile reads regular files whole, and replaces them whole, in folders that others may write to: it waits for
// no pipe, takes no more memory than it was told to, and is led elsewhere by no symbolic link where that matters. What the
// daemon keeps for itself it believes only where nobody else can have written it.
package diskfile
