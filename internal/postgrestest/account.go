//go:build unix

package postgrestest

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is who runs the server: PostgreSQL refuses to run as root, so root hands over to the
// account "postgres" that its packages create. The zero account is the current user.
type account struct{ credential *syscall.Credential }

func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		return account{}, fmt.Errorf("running as root, and PostgreSQL needs another account: %w", err)
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user id of %s: %w", found.Username, err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("group id of %s: %w", found.Username, err)
	}
	return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// attributes also put the process into a group of its own: Ctrl-C in the terminal is for the
// tests, and the supervisor must outlive them.
func (a account) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential, Setpgid: true}
}

func (a account) own(directory string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(directory, int(a.credential.Uid), int(a.credential.Gid))
}
