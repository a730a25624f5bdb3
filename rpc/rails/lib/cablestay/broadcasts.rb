# frozen_string_literal: true

module Cablestay
  # Sees what an event publishes, through ActionCable.server.broadcast or the adapter itself. Publishing stays
  # the adapter's own.
  module Broadcasts
    # Extends the adapter in use: tests swap it, a restart makes a new one.
    def self.watch(server)
      adapter = server.__getobj__.pubsub
      adapter.extend(Recording) unless Recording === adapter
    end

    module Recording
      def broadcast(broadcasting, payload)
        streams = Event.current&.streams or return super
        streams.publishing(String(broadcasting), payload) { super }
      end
    end
  end
end
