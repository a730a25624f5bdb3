// Command cablestay is the bridge: it holds a Rails app's Action Cable sockets and runs the app's connections and channels
// in Rails, over HTTP.
//
//	cablestay [flags]           runs until SIGTERM
//	cablestay health [flags]    asks the running one whether it is ready
//	cablestay version
//
// It exits with 0 when it was told to end and every clean-up has run in Rails, 2 when a setting is wrong, and 1 when
// anything else is.
package main
