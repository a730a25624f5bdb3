# frozen_string_literal: true

module Cablestay
  # Everything that differs between the versions of Rails, and every private name of Action Cable that this
  # gem leans on. Chosen by what is there, not by number: Rails' main branch splits the connection from its
  # socket, and a gem brings that split to Rails 7.
  module RailsVersions
    # A channel's instance variables that are Rails' own; they are rebuilt, not carried.
    CHANNEL_IVARS = %i[ @connection @identifier @params @defer_subscription_confirmation_counter @reject_subscription
      @subscription_confirmation_sent @unsubscribed @_streams @active_periodic_timers @parameter_filter ].freeze

    class << self
      # The class that builds and revives connections: see Cable.
      def cable
        ActionCable::Server.const_defined?(:Socket, false) ? SocketCable : Cable
      end

      # Runs jobs with the callbacks of Action Cable's worker pool, on the caller's thread. One of our own:
      # the server's is halted by a restart, and then runs nothing.
      def worker
        @worker ||= ActionCable::Server::Worker.new(max_size: 1)
      end

      # Rails >= 7.1 answers a health check ahead of the connection.
      def health_check?(server, env)
        server.config.respond_to?(:health_check_path) && env["PATH_INFO"] == server.config.health_check_path
      end

      # Rails >= 7.1 sends a frame before a remote disconnect closes the socket.
      def remote_disconnect
        ActionCable::INTERNAL[:disconnect_reasons].key?(:remote) ? "transmit" : "close"
      end

      # Does the channel's class (or a gem) have a delivery method of its own in Rails' place?
      def overridden?(channel, name)
        return false unless channel.respond_to?(name, true)

        owner = channel.method(name).owner
        owner != ActionCable::Channel::Base && owner != ActionCable::Channel::Streams
      end

      # Does the connection's class see or change each frame, or encode it in its own way?
      def own_transmit?(connection)
        coder = connection.instance_variable_get(:@coder)
        (coder && coder != ActiveSupport::JSON) || %i[ transmit encode ].any? do |name|
          connection.respond_to?(name, true) && connection.method(name).owner != ActionCable::Connection::Base
        end
      end

      # Where a connection has our facade for its server: on whatever thread of the app it is used.
      def surroundings_of(connection)
        server = connection.instance_variable_get(:@server)
        server.surroundings if Cablestay::Server === server
      end

      # What has a server's timers.
      def timers(cable_server)
        cable_server.respond_to?(:executor) ? cable_server.executor : cable_server.event_loop
      end

      # Does somebody still have to confirm it?
      def unconfirmed?(channel)
        !channel.send(:subscription_confirmation_sent?) && !channel.send(:subscription_rejected?)
      end

      # Around a wait for something that may need the app's code to be loaded, which waits for threads that run it.
      def permitting_loads(&block)
        interlock = ActiveSupport::Dependencies.interlock if ActiveSupport::Dependencies.respond_to?(:interlock)
        interlock.respond_to?(:permit_concurrent_loads) ? interlock.permit_concurrent_loads(&block) : yield
      end

      # Rails 8 loads routes when they are first needed.
      def load_routes(app)
        app.reload_routes_unless_loaded if app.respond_to?(:reload_routes_unless_loaded)
      end

      # Gives back this thread's database connections of pools in which others wait for one, but for those in a
      # transaction. Active Record takes another as soon as it needs one.
      def release_wanted_connections
        return unless defined?(ActiveRecord::Base)

        ActiveRecord::Base.connection_handler.connection_pool_list(ActiveRecord::Base.current_role).each do |pool|
          next unless pool.active_connection? && pool.stat.values_at(:waiting, :idle).then { |waiting, idle| waiting > idle }

          pool.release_connection unless pool.with_connection(&:transaction_open?)
        end
      end

      def extend_rails
        ActiveSupport.on_load(:action_cable) do
          ActionCable::Server::Base.prepend(Extensions::Server)
          ActionCable::Server::Base.prepend(Extensions::EachConnection) if ActionCable::Server::Base.method_defined?(:each_connection)
          ActionCable::Server::Base.include(State::References::Named)
        end
        ActiveSupport.on_load(:action_cable_channel) do
          prepend Extensions::Channel
          include State::References::Named
        end
        ActiveSupport.on_load(:action_cable_connection) do
          include State::References::Named
          RailsVersions.tagged_logger.include(State::References::Named)
          ActionCable::Connection::WebSocket.singleton_class.prepend(Extensions::WebSocket) if ActionCable::Connection.const_defined?(:WebSocket, false)
        end
        ActiveSupport.on_load(:active_record) { State::Records.extend_rails(self) }
      end

      def tagged_logger
        ActionCable::Server.const_defined?(:TaggedLoggerProxy, false) ? ActionCable::Server::TaggedLoggerProxy : ActionCable::Connection::TaggedLoggerProxy
      end
    end
  end
end
