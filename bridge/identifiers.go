package bridge

// maxIdentifiers is how many bytes of other subscriptions' identifiers go with an event. A client with more than that must not
// make each of its small commands a large request.
const maxIdentifiers = 64 << 10

// identifiersLocked is what connection.subscriptions.identifiers is to say, where the event itself does not.
func (c *Connection) identifiersLocked(s *subscription) []string {
	if c.subscriptions.len() <= 1 {
		return nil
	}
	bytes := 0
	for each := range c.subscriptions.each() {
		if bytes += len(each.identifier); bytes > maxIdentifiers {
			return nil
		}
	}
	inOrder := c.inOrderLocked()
	if len(inOrder) == 0 || len(inOrder) == 1 && inOrder[0] == s {
		return nil
	}
	return identifiers(inOrder)
}

func identifiers(inOrder []*subscription) []string {
	all := make([]string, len(inOrder))
	for i, s := range inOrder {
		all[i] = string(s.identifier)
	}
	return all
}
