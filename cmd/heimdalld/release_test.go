package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// release runs .ci/release in a tree and returns the folder of what it makes.
func release(t *testing.T, tree string, machines ...string) string {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command("bash", append([]string{filepath.Join(".ci", "release"), "1.2.3", out}, machines...)...)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1000000000")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// unpack returns the files of an archive by their names.
func unpack(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(plain); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.ModTime.Unix() != 1000000000 || h.Mode&0o022 != 0 {
			t.Errorf("%s: owner %d, time %v, mode %o", h.Name, h.Uid, h.ModTime, h.Mode)
		}
	}
}

// A release has static binaries for both architectures, what is needed to run them, and true checksums. Made in another
// folder it is the same.
func TestRelease(t *testing.T) {
	root := filepath.Join("..", "..")
	made := release(t, root)
	sums, err := os.ReadFile(filepath.Join(made, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	archives := map[string][]byte{}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		name := "heimdall-1.2.3-linux-" + arch
		archive, err := os.ReadFile(filepath.Join(made, name+".tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		archives[arch] = archive
		if !strings.Contains(string(sums), fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(archive), name)) {
			t.Errorf("%s: not the sum that SHA256SUMS has", arch)
		}
		files := unpack(t, archive)
		for _, document := range []string{"config.toml", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"} {
			if len(files[name+"/"+document]) == 0 {
				t.Errorf("%s: no %s", arch, document)
			}
		}
		for _, binary := range []string{"heimdalld", "heimdallctl", "heimdall-bench"} {
			file, err := elf.NewFile(bytes.NewReader(files[name+"/"+binary]))
			if err != nil {
				t.Fatalf("%s: %s: %v", arch, binary, err)
			}
			if file.Machine != machine {
				t.Errorf("%s: %s is for %v", arch, binary, file.Machine)
			}
			for _, p := range file.Progs {
				if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
					t.Errorf("%s: %s is not static", arch, binary)
				}
			}
		}
		if !bytes.Contains(files[name+"/heimdalld"], []byte("1.2.3")) {
			t.Errorf("%s: heimdalld does not know its version", arch)
		}
	}
	again, err := os.ReadFile(filepath.Join(release(t, copyTree(t, root), "arm64"), "heimdall-1.2.3-linux-arm64.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, archives["arm64"]) {
		t.Error("made in another folder it is another one")
	}
}

// copyTree copies the files that git knows to a folder of its own.
func copyTree(t *testing.T, root string) string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) { // removed, and not yet committed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
