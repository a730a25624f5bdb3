//go:build e2e

package e2e

// What goes beyond the checklist has names, so that its numbers are given in one place.
const (
	abortBeforeUnsubscribe = 143 + iota
	rejectInAfterSubscribe
	raisingUnsubscribed
	broadcastingNames
	stopBySymbol
	blockAndActions
	overriddenHandlers
	overriddenConnectionTransmit
	ivarsThatCannotTravel
	procInConnection
	deferredByThread
	deferredByBlock
	threadTransmits
	registry
	graphql
	holdsItsWorker
	workerDies
	timerInterval
	timerInherited
	timerIvars
	timerEffects
	closeForms
	internalMessages
	connectionsListed
	connectionsCounted
	siblings
	rawFrames
	requestLater
	severalMounts
	mergedConnection
	notificationsHeard
	farewell
	broadcastForms
	serverDisconnect
	streamOrder
	liveIsVisible
	liveForbidden
	lateTransmissions
	blockEffects
	overlappingActions
	transmitAtOnce
	stopAndTell
	heardAtOnce
)

var liveSubscriptions = section{"Live subscriptions", []statement{
	{number: blockAndActions, text: "A stream's block reads and changes the channel's instance variables; later actions, blocks and 'unsubscribed' see it."},
	{number: overriddenHandlers, text: "An overridden 'stream_handler' or 'default_stream_handler' handles the broadcasts of its channel."},
	{number: overriddenConnectionTransmit, text: "A connection that overrides 'transmit' changes every frame of its own, streamed broadcasts included."},
	{number: ivarsThatCannotTravel, text: "A Proc, Mutex, Monitor, open file, thread or Hash with a block in an instance variable can be used by later actions and 'unsubscribed'."},
	{number: procInConnection, text: "A Proc that 'connect' put in an instance variable of the connection can be called by its channels."},
	{number: deferredByThread, text: "'ensure_confirmation_sent' may be called by a thread that 'subscribed' started."},
	{number: deferredByBlock, text: "'ensure_confirmation_sent' may be called by the block of a stream."},
	{number: threadTransmits, text: "A thread that 'subscribed' or an action started transmits after its event has ended, and shares the channel's instance variables."},
	{number: registry, text: "A channel that registered itself in its process transmits when another request of that process tells it to."},
	{number: graphql, text: "graphql-ruby's pattern works: streams with a block and a coder that run the queries of a map in the process; 'unsubscribed' clears it."},
	{number: holdsItsWorker, text: "With several workers every event of such a subscription reaches the process that holds it; others keep working."},
	{number: workerDies, text: "The death of a worker makes those whom it held reconnect, and costs nobody else anything."},
	{number: liveIsVisible, text: "Log and metric of Cablestay say which channels are live, and why."},
	{number: liveForbidden, text: "With 'config.cablestay.live = false' a channel that would be live is rejected, with an error in the log."},
	{number: lateTransmissions, text: "What a thread transmits after the unsubscribe arrives as long as the socket lives, and is silently lost after that."},
	{number: blockEffects, text: "The block of a stream may start and stop streams, broadcast, transmit through the connection and close it."},
}}

var restOfTheInterface = section{"The rest of the interface", []statement{
	{number: abortBeforeUnsubscribe, text: "'throw :abort' in 'before_unsubscribe' skips 'unsubscribed'; after callbacks run and the identifier is free again."},
	{number: rejectInAfterSubscribe, text: "'reject' in 'after_subscribe' rejects, after all that was transmitted; 'unless: :subscription_rejected?' sees a reject before it."},
	{number: raisingUnsubscribed, text: "[quirk] 'unsubscribed' that raises at an unsubscribe command: logged, the identifier stays taken and its actions work."},
	{number: broadcastingNames, text: "'channel_name' and 'broadcasting_for' name modules, strings, nested lists and records as in stock."},
	{number: stopBySymbol, text: "[quirk] 'stop_stream_from' with a Symbol stops nothing [≤8.1]."},
	{number: timerInterval, text: "'every:' may be a Float or a Duration, and ticks keep to it."},
	{number: timerInherited, text: "A subclass has the timers of its superclass and its own."},
	{number: timerIvars, text: "Timers share instance variables with actions, blocks of streams and 'unsubscribed'."},
	{number: timerEffects, text: "A tick may confirm, start streams and close the connection."},
	{number: closeForms, text: "'connection.close' bare says reason 'null' and reconnect true; nothing that is transmitted after it is sent."},
	{number: internalMessages, text: "On the internal broadcasting, other types and what is not JSON are ignored; 'reconnect' is passed on even if null [7.1+]."},
	{number: connectionsListed, text: "'ActionCable.server.connections' has each connection's identifiers, 'connection_identifier', 'subscriptions.identifiers' and 'statistics'; 'open_connections_statistics' too."},
	{number: connectionsCounted, text: "'ActionCable.server.connections' holds exactly those who are there, none that was unauthorized or has left."},
	{number: siblings, text: "'connection.subscriptions.identifiers' and 'connection.statistics' inside an event list all the connection's subscriptions in their order."},
	{number: rawFrames, text: "'connection.transmit' sends a frame as it is, 'connection.beat' a ping."},
	{number: requestLater, text: "'request', 'cookies', 'session', 'env' and 'protocol' are those of the handshake in later actions."},
	{number: severalMounts, text: "Each mount of 'ActionCable.server' is a cable; the parameters of its path are in 'request' in later actions."},
	{number: mergedConnection, text: "Events that run at a time and set different instance variables of the connection lose neither."},
	{number: notificationsHeard, text: "Subscribers in the app hear the notifications of actions, transmissions, confirmations, rejections and broadcasts, in order and with their payloads."},
	{number: farewell, text: "What 'unsubscribed' broadcasts is heard by the others on the stream, however the subscription ended."},
	{number: broadcastForms, text: "'broadcast' with 'coder: nil' publishes the string as it is; a Symbol is a name; 'broadcaster_for' broadcasts."},
	{number: serverDisconnect, text: "'ActionCable.server.disconnect' is a remote disconnect with its defaults."},
	{number: streamOrder, text: "The broadcasts of one stream arrive in the order in which they were published."},
	{number: overlappingActions, text: "[quirk] Actions of one subscription that are sent at once run at a time."},
	{number: transmitAtOnce, text: "What an action transmits is sent before the action has ended."},
	{number: stopAndTell, text: "A broadcast that an action makes on a stream which it has just stopped is not heard by its own subscription."},
	{number: heardAtOnce, text: "What is published to a stream that an action has started is heard before the action has ended, its own broadcasts included, once."},
}}
