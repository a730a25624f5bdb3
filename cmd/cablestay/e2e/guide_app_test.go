//go:build e2e

package e2e

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// guide is the app of guide/README.md with these pasted over, or into, what was pasted first.
func guide(later ...string) app {
	return func(t *testing.T) string {
		t.Helper()
		folder, err := os.MkdirTemp(run.folder, "")
		if err != nil {
			t.Fatal(err)
		}
		paste(t, "rails_new", folder, os.O_TRUNC)
		paste(t, "pasted", folder, os.O_TRUNC)
		for _, name := range later {
			if _, err := os.Stat(filepath.Join("guide/pasted_into", name)); err == nil {
				paste(t, "pasted_into/"+name, folder, os.O_APPEND)
			} else {
				paste(t, "pasted_over/"+name, folder, os.O_TRUNC)
			}
		}
		return folder
	}
}

// paste puts a folder of guide/ over another one; how says what becomes of a file that is there already.
func paste(t *testing.T, name, folder string, how int) {
	t.Helper()
	from := filepath.Join("guide", name)
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if to := filepath.Join(folder, relative); entry.IsDir() {
			return os.MkdirAll(to, 0o700)
		} else {
			return pasteFile(path, to, how)
		}
	})
	if err != nil {
		t.Fatalf("paste %s: %v", name, err)
	}
}

func pasteFile(from, to string, how int) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|how, info.Mode())
	if err != nil {
		return err
	}
	if _, err = io.Copy(target, source); err != nil {
		_ = target.Close()
		return err
	}
	return target.Close()
}
