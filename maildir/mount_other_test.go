//go:build !linux

package maildir_test

import "errors"

func mountTmpfs(string, string) error { return errors.ErrUnsupported }
