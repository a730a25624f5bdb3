package main

import (
	"runtime"
	"runtime/debug"
)

// version is set by the linker: -X main.version=0.1.0.
var version = "dev"

// revision is the commit that Go itself has noted, for builds without a version.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	return ""
}

func versionLine() string {
	line := version
	if r := revision(); r != "" && version == "dev" {
		line += "-" + r
	}
	return line + " (" + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")"
}
