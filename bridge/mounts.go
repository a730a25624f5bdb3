package bridge

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/cablestay/cablestay/rpc"
)

// mounts are the paths at which the app mounts Action Cable, so that all else is answered without Rails. Rails' own
// routes, which also know constraints, have the last word on what matches here.
type mounts []*regexp.Regexp

func newMounts(from []rpc.Mount) (mounts, error) {
	if len(from) == 0 {
		return nil, errNoMounts
	}
	all := make(mounts, 0, len(from))
	for _, m := range from {
		if !strings.HasPrefix(m.Path, "/") && !strings.HasPrefix(m.Path, "(") {
			return nil, fmt.Errorf("bridge: mount path %q does not begin with a slash", m.Path)
		}
		pattern := "(?s)^" + patternOf(m.Path)
		if !m.Anchored {
			pattern += "(?:/.*)?"
		}
		compiled, err := regexp.Compile(pattern + "$")
		if err != nil {
			return nil, fmt.Errorf("bridge: mount path %q is not one of Rails' router: its brackets don't match", m.Path)
		}
		all = append(all, compiled)
	}
	return all, nil
}

// routeWords are what stands for something else in a path of Rails' router (ActionDispatch::Journey::Scanner).
var routeWords = regexp.MustCompile(`/+|\(|\)|[:*][A-Za-z_]\w*`)

// patternOf is a path in the router's words as a regular expression: (/:locale) may be left out, :tenant is anything but a
// slash, *rest is anything.
func patternOf(path string) string {
	var pattern strings.Builder
	path = strings.TrimRight(path, "/")
	at := 0
	for _, found := range routeWords.FindAllStringIndex(path, -1) {
		pattern.WriteString(regexp.QuoteMeta(path[at:found[0]]))
		switch word := path[found[0]:found[1]]; word[0] {
		case '/':
			pattern.WriteString("/")
		case '(':
			pattern.WriteString("(?:")
		case ')':
			pattern.WriteString(")?")
		case ':':
			pattern.WriteString("[^/]+")
		case '*':
			pattern.WriteString(".+")
		}
		at = found[1]
	}
	return pattern.String() + regexp.QuoteMeta(path[at:])
}

// match takes a raw, still percent-encoded path.
func (all mounts) match(path string) bool {
	path = normalised(path)
	for _, m := range all {
		if m.MatchString(path) {
			return true
		}
	}
	return false
}

// normalised is a path as Rails' router compares it: decoded, but for slashes that divide nothing, and without those that
// are too many.
func normalised(path string) string {
	var all strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		if decoded, err := url.PathUnescape(segment); err == nil {
			segment = strings.ReplaceAll(decoded, "/", "%2F")
		}
		all.WriteString("/" + segment)
	}
	return all.String()
}
