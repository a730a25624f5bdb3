package main

import (
	"strings"
	"unsafe"
)

// scrubArguments overwrites the secret where the kernel keeps the command line, so that ps shows it no longer. On Unix
// os.Args are that very memory, which belongs to the process and may be written; elsewhere this does nothing but
// change copies.
func scrubArguments(arguments []string, secret string) {
	for _, argument := range arguments {
		if secret == "" || !strings.HasSuffix(argument, secret) {
			continue
		}
		if rest := strings.TrimSuffix(argument, secret); rest != "" && !strings.HasSuffix(rest, "secret=") {
			continue
		}
		memory := unsafe.Slice(unsafe.StringData(argument), len(argument))
		for i := len(argument) - len(secret); i < len(argument); i++ {
			memory[i] = '*'
		}
	}
}
