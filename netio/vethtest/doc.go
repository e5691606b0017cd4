// Package vethtest makes a pair of interfaces in two network namespaces, for the tests of what runs in the kernel. It
// takes root. Only tests import it.
package vethtest
