package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// userEnv tells this program that it is root in a user namespace alone.
const userEnv = "HEIMDALL_LAB_USER_NAMESPACE"

// unshare are the words that run a program as root of new user, network and mount namespaces (unshare(1)).
var unshare = []string{"unshare", "--map-root-user", "--net", "--mount"}

// asUser says whether this program is root in a user namespace alone.
func asUser() bool { return os.Getenv(userEnv) != "" }

// enterNamespaces makes an ordinary user root of namespaces in which the lab can be made: the program is run again, in
// the same process. It returns when there is nothing to do, with a place for the names of network namespaces, or when
// that is not allowed.
func enterNamespaces() error {
	if asUser() {
		// ip-netns(8) keeps its names below /run, which belongs to the machine's root.
		if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("cover /run: %w", err)
		}
		return nil
	}
	if os.Geteuid() == 0 {
		return nil
	}
	// What a policy of the system forbids may be a step behind the first.
	trial := exec.Command(unshare[0], append(unshare[1:], "mount", "-t", "tmpfs", "tmpfs", "/run")...)
	if text, err := trial.CombinedOutput(); err != nil {
		why := strings.ReplaceAll(strings.TrimSpace(err.Error()+": "+string(text)), "\n", "; ")
		return fmt.Errorf("the lab takes root, or user namespaces, which this machine does not allow you: run it with sudo, or see "+
			"the sysctls user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns (%s)", strings.TrimSuffix(why, ":"))
	}
	path, err := exec.LookPath(unshare[0])
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	words := append(append(unshare, self), os.Args[1:]...)
	return fmt.Errorf("run unshare: %w", syscall.Exec(path, words, append(os.Environ(), userEnv+"=1")))
}

// fromOutside returns the words that run a command of the lab's from another terminal.
func fromOutside(words []string) []string {
	if !asUser() {
		return words
	}
	return append([]string{"nsenter", "-t", strconv.Itoa(os.Getpid()), "-U", "-m", "--preserve-credentials"}, words...)
}
