//go:build !unix

package postgrestest

import "syscall"

// account is the current user: only Unix has sockets and accounts as this package needs them.
type account struct{}

func unprivileged() (account, error)             { return account{}, ErrNotInstalled }
func (account) attributes() *syscall.SysProcAttr { return nil }
func (account) own(string) error                 { return nil }
