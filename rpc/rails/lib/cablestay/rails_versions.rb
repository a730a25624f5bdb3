# frozen_string_literal: true

module Cablestay
  # Everything that differs between the versions of Rails, and every private name of Action Cable that this
  # gem leans on. Chosen by what is there, not by number: Rails' main branch splits the connection from its
  # socket, and a gem brings that split to Rails 7.
  module RailsVersions
    # A channel's instance variables that are Rails' own; they are rebuilt, not carried.
    CHANNEL_IVARS = %i[ @connection @identifier @params @defer_subscription_confirmation_counter @reject_subscription
      @subscription_confirmation_sent @unsubscribed @_streams @active_periodic_timers @parameter_filter ].freeze

    # What stock runs when a subscription ends, or may run: a channel's methods, its connection's, and those of their table.
    CHANNEL_END = %i[ unsubscribe_from_channel unsubscribed run_callbacks stop_all_streams stop_stream_from streams pubsub
      stop_periodic_timers active_periodic_timers connection identifier logger ].freeze
    CONNECTION_END = %i[ on_close send_async handle_close disconnect finished_request_message subscriptions
      unsubscribe_from_internal_channel server pubsub logger ].freeze
    UNSUBSCRIBE = %i[ on_message receive dispatch_websocket_message handle_incoming handle_channel_command run_callbacks subscriptions logger ].freeze
    TABLE_END = %i[ unsubscribe_from_all remove_subscription subscriptions connection logger ].freeze
    TABLE_UNSUBSCRIBE = %i[ execute_command remove find remove_subscription subscriptions connection logger ].freeze

    # Those of them that an app would write, also late, or for one object.
    LATE_CHANNEL_END = %i[ unsubscribed unsubscribe_from_channel ].freeze
    LATE_CONNECTION_END = %i[ disconnect ].freeze

    class << self
      # The class that builds and revives connections: see Cable.
      def cable
        socket ? SocketCable : Cable
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

      # Does nothing of the app's or of another gem's run when a connection of this class ends, but for its channels'?
      def stock_close?(type)
        Stock.methods?(type, CONNECTION_END) && Stock.methods?(ActionCable::Connection::Subscriptions, TABLE_END) &&
          Stock.methods?(ActionCable::Server::Base, %i[ remove_connection ]) && (socket.nil? || Stock.methods?(socket, CONNECTION_END))
      end

      # The same for an unsubscribe, but for the callbacks of commands.
      def stock_unsubscribe?(type)
        Stock.methods?(type, UNSUBSCRIBE) && Stock.methods?(ActionCable::Connection::Subscriptions, TABLE_UNSUBSCRIBE) &&
          (socket.nil? || Stock.methods?(socket, UNSUBSCRIBE))
      end

      # And for jobs of the worker and lines of the log, but for the callbacks of jobs.
      def stock_jobs?
        Stock.methods?(ActionCable::Server::Worker, %i[ async_invoke invoke work run_callbacks ]) && Stock.methods?(tagged_logger, %i[ info log tag ])
      end

      # And for the executions that jobs run in, but for their callbacks.
      def stock_executions?(executor)
        Stock.methods?(executor, %i[ run! complete! run_callbacks ]) && Stock.methods?(executor.singleton_class, %i[ wrap run! perform ])
      end

      # Nor when the execution resets what is current: on a thread that has had it.
      def stock_resets?
        ActiveSupport::CurrentAttributes.descendants.all? do |type|
          callbacks(type, :reset).none? && type.instance_method(:reset).owner.equal?(ActiveSupport::CurrentAttributes)
        end
      end

      # Those of a class: another object as soon as there is one more or less.
      def callbacks(type, name)
        type.__callbacks[name]
      end

      # Rails >= 7.1 has them.
      def command_callbacks(type)
        callbacks(type, :command) if type.respond_to?(:_command_callbacks)
      end

      def filter(callback)
        callback.respond_to?(:raw_filter) ? callback.raw_filter : callback.filter # Rails < 7.0
      end

      # Would a line at info be written, for all that we know? Action Cable's logger of a connection hides the one that says so.
      def logs_info?(logger)
        return true unless logger.instance_of?(tagged_logger) && logger.singleton_methods.empty?

        logger = logger.instance_variable_get(:@logger)
        !logger.respond_to?(:info?) || logger.info? || own_add?(logger)
      end

      # Has it an add in front of Ruby's, which gets what is below the level, too? So Rails < 7.1 broadcasts to another logger, which
      # has a level of its own.
      def own_add?(logger)
        return logger.broadcasts.any? { |each| own_add?(each) } if logger.respond_to?(:broadcasts)
        return false unless ::Logger === logger

        add = logger.method(:add)
        add = add.super_method while add && add.owner.equal?(ActiveSupport::LoggerThreadSafeLevel)
        add.nil? || !add.owner.equal?(::Logger)
      end

      # Rails' main branch has it, or a gem that brings it: then that has a folder of its own.
      def socket
        ActionCable::Server::Socket if ActionCable::Server.const_defined?(:Socket, false)
      end

      def socket_folder
        path, = socket&.instance_method(:process)&.source_location
        File.expand_path("../..", path) if path&.end_with?("/action_cable/server/socket.rb")
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
        @tagged_logger ||=
          ActionCable::Server.const_defined?(:TaggedLoggerProxy, false) ? ActionCable::Server::TaggedLoggerProxy : ActionCable::Connection::TaggedLoggerProxy
      end
    end
  end
end
