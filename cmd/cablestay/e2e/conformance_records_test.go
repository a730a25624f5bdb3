//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// records is the journal of a device like journal, with all that Ruby wrote into it.
func (r *rails) records(t *testing.T, device string) []map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.folder, "journal"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var records []map[string]any
	for line := range strings.Lines(string(content)) {
		if !strings.HasSuffix(line, "\n") { // Ruby is writing it just now
			break
		}
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("journal: %q: %v", line, err)
		}
		if record["device"] == device {
			records = append(records, record)
		}
	}
	return records
}

// awaitRecord waits until a callback has run for a subscription and returns what it recorded.
func (r *rails) awaitRecord(t *testing.T, device, event, identifier string) map[string]any {
	t.Helper()
	var found map[string]any
	await(t, fmt.Sprintf("%s of %s for %s in the journal", event, device, identifier), func() bool {
		for _, record := range r.records(t, device) {
			if record["event"] == event && record["identifier"] == identifier {
				found = record
			}
		}
		return found != nil
	})
	return found
}

// ask calls a controller of the app in Puma itself, past the bridge, and returns what it says.
func (r *rails) ask(t *testing.T, method, path string, parameters url.Values) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://rails.test"+path+"?"+parameters.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.http.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: got %s: %s", method, path, answer.Status, body)
	}
	return string(body)
}

// sortedPayload brings the members of a notification's payload into the order in which Go's encoder puts them.
func sortedPayload(t *testing.T, notification string) string {
	t.Helper()
	name, payload, _ := strings.Cut(notification, " ")
	var decoded any
	if err := json.Unmarshal([]byte(payload), &decoded); err != nil {
		t.Fatalf("%q: %v", payload, err)
	}
	return name + " " + encode(decoded)
}
