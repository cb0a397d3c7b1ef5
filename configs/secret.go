package configs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// secretBytesMax is longer than any password or token, and shorter than a file that was named by mistake.
const secretBytesMax = 4096

// credentialsDirectory is the variable in which systemd names the files of LoadCredential=.
const credentialsDirectory = "CREDENTIALS_DIRECTORY"

const secretForm = "a file that only its owner may read (chmod 600)"

// Password is the password of the control connections, "" without a password_file. Each call reads the file, but the daemon calls
// it once, at its start: a rotation needs a restart.
func (p *Pool) Password() (string, error) { return readSecret("password", p.Check.PasswordFile) }

// Token is the bearer token of the admin API, "" without a token_file.
func (a *Admin) Token() (string, error) { return readSecret("token", a.TokenFile) }

func readSecret(kind, name string) (string, error) {
	secret, err := secretIn(name)
	if err != nil {
		return "", fmt.Errorf("read %s file %q: %w", kind, name, err)
	}
	return secret, nil
}

// secretIn is the content of the file without the newline that editors put at its end.
func secretIn(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	file, err := openSecret(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, secretBytesMax+1))
	if err != nil {
		return "", errors.New(reason(err))
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case secret == "":
		return "", errors.New("is empty")
	case len(data) > secretBytesMax:
		return "", fmt.Errorf("is larger than %d bytes", secretBytesMax)
	}
	return secret, nil
}

// openSecret opens the file and then judges what it opened, so that nothing can change between the check and the use.
func openSecret(name string) (*os.File, error) {
	path, guarded, err := secretPath(name)
	if err != nil {
		return nil, err
	}
	// Without O_NONBLOCK the opening of a pipe would wait for its writer.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	if err := checkOwnerOnly(file, guarded); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// checkOwnerOnly refuses what others may read or write. systemd keeps others out of its directory by the directory's
// own mode, and shows the access list of a service user as group rights, so these files are not judged.
func checkOwnerOnly(file *os.File, guarded bool) error {
	info, err := file.Stat()
	if err != nil {
		return errors.New(reason(err))
	}
	if !info.Mode().IsRegular() {
		return errors.New("is no regular file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && !guarded {
		return fmt.Errorf("may be used by others than its owner (mode %04o)", mode)
	}
	return nil
}

// secretPath finds a file given by a relative name where systemd put it. guarded says that it did.
func secretPath(name string) (path string, guarded bool, err error) {
	if filepath.IsAbs(name) {
		return name, false, nil
	}
	dir := os.Getenv(credentialsDirectory)
	switch {
	case dir == "":
		return "", false, fmt.Errorf("is relative and %s is not set, write an absolute path", credentialsDirectory)
	case !filepath.IsLocal(name):
		return "", false, fmt.Errorf("leads out of %s", credentialsDirectory)
	}
	return filepath.Join(dir, name), true, nil
}
