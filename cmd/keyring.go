package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"github.com/zalando/go-keyring"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// errNoEntry says that a keyring is there, but not the password.
var errNoEntry = errors.New("there is no such password")

// systemKeyring asks the Secret Service of freedesktop.org, the keychain of macOS
// or the credential manager of Windows. The error is errNoEntry where the service
// has no password for the account.
func systemKeyring(service, account string) (string, error) {
	if !sessionBus() {
		return "", errors.New("there is no session bus (DBUS_SESSION_BUS_ADDRESS)")
	}
	password, err := keyring.Get(service, account)
	if errors.Is(err, keyring.ErrNotFound) {
		return "", errNoEntry
	}
	return password, err
}

// sessionBus reports whether there is a bus to find a keyring on. Without one the
// library would start one, and leave it running.
func sessionBus() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	dirs := []string{os.Getenv("XDG_RUNTIME_DIR"), "/run/user/" + strconv.Itoa(os.Getuid())}
	return slices.ContainsFunc(dirs, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "bus"))
		return dir != "" && err == nil
	})
}

// fromKeyring gives the password that the keyring has for user@host, else for user.
func (r *run) fromKeyring(ctx context.Context, user, host string) (transcript.Secret, error) {
	const setting = "auth-password-keyring"
	service := r.String(setting)
	if service == "true" {
		service = "ehlo"
	}
	if r.Keyring == nil {
		return transcript.Secret{}, r.sourceError(setting, errors.New("there is no keyring here"))
	}
	accounts := []string{user + "@" + host, user}
	raw, err := within(ctx, func() ([]byte, error) {
		for _, account := range accounts {
			password, err := r.Keyring(service, account)
			if !errors.Is(err, errNoEntry) {
				return []byte(password), err
			}
		}
		return nil, errNoEntry
	})
	switch {
	case errors.Is(err, errNoEntry):
		return transcript.Secret{}, &usageError{
			msg:  fmt.Sprintf("the keyring has no password of %s or %s for the service %s", accounts[0], accounts[1], service),
			next: storeCommand(service, user),
		}
	case err != nil && ctx.Err() == nil:
		err = fmt.Errorf("no keyring answers: %w", err)
	case err == nil:
		err = flaw("the password", raw)
	}
	if err != nil {
		return transcript.Secret{}, r.sourceError(setting, err)
	}
	defer clear(raw)
	return transcript.NewSecret(string(trimLine(raw))), nil
}

// storeCommand is how a password gets into the keyring.
func storeCommand(service, user string) string {
	switch service, user = shellWord(service), shellWord(user); runtime.GOOS {
	case "darwin":
		return "security add-generic-password -s " + service + " -a " + user + " -w"
	case "windows":
		return ""
	}
	return "secret-tool store --label=ehlo service " + shellWord(service) + " username " + shellWord(user)
}
