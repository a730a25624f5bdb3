package protocol

// CheckPayload says whether a client can be sent payload as a message: JSON in UTF-8, nested at most [MaxNesting]
// deep. It returns a [*SyntaxError], or nil; for a good payload it allocates nothing.
//
// Stock Action Cable decodes and encodes each broadcast for each subscriber (ActionCable::Channel::Streams) and so
// drops what does not survive that: text, NaN, half a surrogate pair, bytes that are not UTF-8. What CheckPayload
// lets through is the same but for one thing that no Rails app publishes: the comments that Ruby's JSON accepts.
func CheckPayload(payload []byte) error {
	s := scanner{text: payload}
	if s.begin() && s.value(0) && s.end() {
		return nil
	}
	return s.err()
}
