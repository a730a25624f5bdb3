# frozen_string_literal: true

module Cablestay
  # The places where Rails is extended. They do nothing for connections that are Puma's own.
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

      # The bridge's, too. Action Cable's own code asks for those that it has to ping and close itself.
      def connections
        Extensions.rails?(caller_locations(1, 1)) ? super : super + Live::RemoteConnection.all
      end

      def open_connections_statistics
        connections.map(&:statistics)
      end

      # The bridge tells its clients, and has their unsubscribed and disconnect run.
      def restart
        Live::Links.all.each { |link| link.send_line(restart: true) }
        super
      end
    end

    # Prepended to ActionCable::Server::Base of Rails' main branch.
    module EachConnection
      def each_connection(&block)
        super
        Live::RemoteConnection.all.each(&block) unless Extensions.rails?(caller_locations(1, 1))
      end
    end

    def self.rails?(callers)
      callers.first.path.include?("/action_cable/server/")
    end

    # Prepended to the class of ActionCable::Connection::WebSocket: a connection of ours has its socket already, and Rails'
    # would be thrown away.
    module WebSocket
      def new(env, event_target, event_loop, **)
        Cablestay::Server::EventLoop === event_loop ? event_loop.socket : super
      end
    end

    # Prepended to ActionCable::Channel::Base.
    module Channel
      def stream_from(broadcasting, callback = nil, coder: nil, &block)
        surroundings = RailsVersions.surroundings_of(connection)
        surroundings ? surroundings.event.streams.from(self, callback || block, coder) { super } : super
      end

      # A subscribed that raises leaves a client in stock that is never told; see Rpc::Subscribe.
      def subscribe_to_channel
        super
      rescue Exception
        RailsVersions.surroundings_of(connection)&.event&.subscribe_raised(self)
        raise
      end

      # Of a living one the link may end while it is under way.
      def unsubscribe_from_channel
        surroundings = RailsVersions.surroundings_of(connection)
        surroundings ? surroundings.leaving(self) { super() } : super
      end

      private
        def start_periodic_timer(callback, every:)
          surroundings = RailsVersions.surroundings_of(connection)
          surroundings ? surroundings.event.streams.timer(self, callback, every) : super
        end
    end
  end
end
