package bridge

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/cablestay/cablestay/rpc"
)

// mounts are the paths at which the app mounts Action Cable, so that all else is answered without Rails. Rails' own
// routes have the last word on what matches here.
type mounts []mount

type mount struct {
	segments []string // ":name" matches any one segment
	anchored bool
}

func newMounts(from []rpc.Mount) (mounts, error) {
	if len(from) == 0 {
		return nil, errNoMounts
	}
	all := make(mounts, 0, len(from))
	for _, m := range from {
		if !strings.HasPrefix(m.Path, "/") {
			return nil, fmt.Errorf("bridge: mount path %q does not begin with a slash", m.Path)
		}
		all = append(all, mount{segments: segmentsOf(m.Path), anchored: m.Anchored})
	}
	return all, nil
}

// match takes a raw, still percent-encoded path. Rails' router normalises slashes before it compares.
func (all mounts) match(path string) bool {
	segments := segmentsOf(path)
	for i, s := range segments {
		if decoded, err := url.PathUnescape(s); err == nil {
			segments[i] = decoded
		}
	}
	for _, m := range all {
		if m.match(segments) {
			return true
		}
	}
	return false
}

func (m mount) match(segments []string) bool {
	if len(segments) < len(m.segments) || m.anchored && len(segments) > len(m.segments) {
		return false
	}
	for i, s := range m.segments {
		if !strings.HasPrefix(s, ":") && s != segments[i] {
			return false
		}
	}
	return true
}

func segmentsOf(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
