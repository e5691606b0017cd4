// Package dnametest makes names for tests. Only tests import it.
package dnametest

import "heimdall/core/dname"

// Name returns the wire form of a name. It panics where the text is none.
func Name(text string) dname.Name {
	n, err := dname.ParseText(nil, text)
	if err != nil {
		panic(err)
	}
	return n
}
