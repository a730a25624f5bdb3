# frozen_string_literal: true

module Cablestay
  # The two places where Rails is extended. Both do nothing unless one of our events runs.
  module Extensions
    # Prepended to ActionCable::Server::Base.
    module Server
      def call(env)
        takeover = env[Endpoint::TAKEOVER]
        if takeover && !RailsVersions.health_check?(self, env)
          takeover.call(self, env)
        elsif takeover.nil? && Endpoint.answers?(env) # mounted without Rails' middleware
          Endpoint.new(self).call(env)
        else
          super
        end
      end
    end

    # Prepended to ActionCable::Channel::Base.
    module Channel
      def stream_from(broadcasting, callback = nil, coder: nil, &block)
        streams = RailsVersions.streams_of(connection)
        streams ? streams.from(self, callback || block, coder) { super } : super
      end
    end
  end
end
