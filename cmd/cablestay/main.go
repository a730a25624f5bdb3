package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1
	exitSettings = 2
)

func main() {
	os.Exit(cablestay(os.Args[1:], os.Stdout, os.Stderr))
}

func cablestay(arguments []string, stdout, stderr io.Writer) int {
	command, given, err := parseArguments(arguments)
	if err != nil {
		return complain(stderr, err)
	}
	switch command {
	case commandHelp:
		printHelp(stdout)
		return exitOK
	case commandVersion:
		_, _ = fmt.Fprintln(stdout, "cablestay", versionLine())
		return exitOK
	case commandHealth:
		s, err := newSettings(given, os.LookupEnv)
		if err != nil && !errors.Is(err, errNoSecret) { // health needs none
			return complain(stderr, err)
		}
		return health(s.opsListen, stdout, stderr)
	}
	s, err := newSettings(given, os.LookupEnv)
	if err != nil {
		return complain(stderr, err)
	}
	if given.has("secret") {
		scrubArguments(os.Args, s.secret)
		s.warnings = append(s.warnings, "--secret on the command line is seen by everyone who can run ps; use --secret-file or CABLESTAY_SECRET")
	}
	s.warnings = append(s.warnings, unknownVariables(os.Environ())...)
	return run(s, s.logger(stderr))
}

func complain(stderr io.Writer, err error) int {
	_, _ = fmt.Fprintln(stderr, "cablestay:", err)
	return exitSettings
}
