package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// What there is to do.
const (
	commandRun     = ""
	commandHealth  = "health"
	commandVersion = "version"
	commandHelp    = "help"
)

// flags are those given on the command line, as they were given.
type flags map[string]string

func (f flags) has(name string) bool { _, ok := f[name]; return ok }

// parseArguments takes the command before or after the flags.
func parseArguments(arguments []string) (command string, given flags, err error) {
	if len(arguments) > 0 && isCommand(arguments[0]) {
		command, arguments = arguments[0], arguments[1:]
	}
	given = make(flags)
	set := flag.NewFlagSet("cablestay", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, s := range allSettings {
		set.Func(s.name, s.help, func(value string) error {
			if s.repeats && given.has(s.name) {
				value = given[s.name] + "," + value
			}
			given[s.name] = value
			return nil
		})
	}
	switch err := set.Parse(arguments); {
	case errors.Is(err, flag.ErrHelp):
		return commandHelp, nil, nil
	case err != nil:
		return "", nil, fmt.Errorf("%s; cablestay --help lists the flags", strings.Replace(err.Error(), ": -", ": --", 1))
	}
	rest := set.Args()
	if command == commandRun && len(rest) > 0 && isCommand(rest[0]) {
		command, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return "", nil, fmt.Errorf("argument %q: there is no such command; there are health and version", rest[0])
	}
	return command, given, nil
}

func isCommand(word string) bool {
	return word == commandHealth || word == commandVersion || word == commandHelp
}

func printHelp(to io.Writer) {
	var text strings.Builder
	text.WriteString("cablestay holds a Rails app's Action Cable sockets.\n\n" +
		"  cablestay [flags]          run until SIGTERM\n" +
		"  cablestay health [flags]   ask the running one whether it is ready; exit 0 or 1\n" +
		"  cablestay version\n\n" +
		"A flag wins over its variable, and either over what Rails says. An empty variable counts as none.\n")
	for _, s := range allSettings {
		fmt.Fprintf(&text, "\n  --%s, %s\n      %s\n", s.name, s.variable(), s.help)
		if s.fallback != "" || s.otherwise != "" {
			fmt.Fprintf(&text, "      default: %s\n", s.byDefault())
		}
	}
	_, _ = io.WriteString(to, text.String())
}
