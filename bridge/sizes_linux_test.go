package bridge

func epollSocketOrNothing() any { return epollSocket{} }
