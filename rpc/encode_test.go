package rpc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
)

func TestEncode_SaysAllThatAMessageHas(t *testing.T) {
	for _, message := range []any{new(ConnectRequest), new(CommandRequest), new(DisconnectRequest)} {
		t.Run(fmt.Sprintf("%T", message), func(t *testing.T) {
			for _, filled := range []bool{false, true} {
				if filled {
					fill(reflect.ValueOf(message).Elem())
				}
				got, err := encode(perform, message, member{"bridge", "b"})
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(message)
				if err != nil {
					t.Fatal(err)
				}
				want := members(t, text)
				want["contract"], want["bridge"] = float64(Contract), "b"
				if subscriptions, ok := want["subscriptions"]; ok && subscriptions == nil {
					want["subscriptions"] = []any{} // a list, not null
				}
				if got := members(t, got); !reflect.DeepEqual(got, want) {
					t.Errorf("filled: %t: got %v, want %v", filled, got, want)
				}
			}
		})
	}
}

func members(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return all
}

// fill gives every member a value, so that none is forgotten that will be added.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case EncodedHandshake:
		v.SetString(`{"method":"GET"}`)
		return
	case *Hold:
		return // says where it goes
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		v.SetString("a \"text\"\n")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.25)
	default:
		panic("a member of a kind that fill does not know: " + v.Type().String())
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", `"quoted" \ `, "\x00\x1f\n\t\x7f", "žluť 世界 🚂 \u2028\u2029", "\xff\xc3", "cut \xe4\xb8", "</script>&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got, want string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
