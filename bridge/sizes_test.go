package bridge

import (
	"reflect"
	"testing"
)

// What every connection with one subscription and one stream has. Go rounds each up to a size class: 16, 48, 192, 240.
// `go test -v -run TestSizes ./bridge` prints them field by field.
func TestSizes_OfWhatEveryConnectionHasStayAsTheyAre(t *testing.T) {
	for _, each := range []struct {
		of   any
		most uintptr
	}{
		{Connection{}, 240},
		{epollSocketOrNothing(), 48},
		{subscription{}, 192},
		{stream{}, 48},
		{member{}, 16}, // in its audience's slice
	} {
		kind := reflect.TypeOf(each.of)
		t.Logf("%s: %d bytes", kind.Name(), kind.Size())
		for i := range kind.NumField() {
			field := kind.Field(i)
			t.Logf("  %3d  %-22s %3d  %s", field.Offset, field.Name, field.Type.Size(), field.Type)
		}
		if kind.Size() > each.most {
			t.Errorf("%s is %d bytes, want at most %d", kind.Name(), kind.Size(), each.most)
		}
	}
}
