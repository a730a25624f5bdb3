# frozen_string_literal: true

module Cablestay
  module RailsVersions
    # A connection of the app over our facades, new or revived. Rails <= 8.1: the connection holds its own socket.
    class Cable
      IVARS = %i[ @server @env @coder @worker_pool @logger @websocket @subscriptions @message_buffer
        @_internal_subscriptions @started_at @protocol @request @cablestay_env ].freeze

      attr_reader :connection

      # As ActionCable.server does for a handshake.
      def self.open(server, env, socket)
        connection = server.config.connection_class.call.new(server, env)
        connection.instance_variable_set(:@websocket, socket)
        new(connection)
      end

      # A connection that was opened in an earlier event; restore gives it what was saved there. The app's
      # initialize is not run again.
      def self.revive(server, middleware_env, socket)
        connection = server.config.connection_class.call.allocate
        { "@server": server, "@env": middleware_env.raw, "@coder": ActiveSupport::JSON,
          "@worker_pool": server.worker_pool, "@logger": logger(server), "@websocket": socket,
          "@subscriptions": ActionCable::Connection::Subscriptions.new(connection),
          "@message_buffer": ActionCable::Connection::MessageBuffer.new(connection),
          "@_internal_subscriptions": nil, "@cablestay_env": middleware_env
        }.each { |name, value| connection.instance_variable_set(name, value) }
        new(connection.extend(MiddlewareEnv::Lazy))
      end

      def self.logger(server)
        RailsVersions.tagged_logger.new(server.logger, tags: [])
      end

      def initialize(connection)
        @connection = connection
      end

      # What Rails' worker is told to run: an app may have given it a handle_exception.
      def receiver
        holder
      end

      # The facade, which not every version shows.
      def server
        connection.instance_variable_get(:@server)
      end

      # The first half of a handshake: Rails' log lines, the origin check, the HTTP answer.
      def process
        connection.process
      end

      # The second half, on a worker: connect and welcome.
      def handle_open
        connection.send(:handle_open)
      end

      # A command of the client, decoded. Rails >= 7.1 has callbacks around it.
      def execute(command)
        if connection.respond_to?(:handle_channel_command)
          connection.handle_channel_command(command)
        else
          connection.subscriptions.execute_command(command)
        end
      end

      def disconnect
        connection.disconnect if disconnects?
      end

      # Would stock call it?
      def disconnects?
        connection.respond_to?(:disconnect)
      end

      # Rails' own line needs no more of the request than the socket knew: not worth the middleware.
      def log_finished(raw_env)
        env = Cablestay.env_config.merge(raw_env, Handshake.below(script_name, raw_env))
        holder.instance_variable_set(:@request, ActionDispatch::Request.new(env))
        connection.logger.info(holder.send(:finished_request_message))
      ensure
        holder.remove_instance_variable(:@request)
      end

      # As statistics has it, from the middleware that made it.
      attr_reader :request_id

      # Where the routes mount it, if they take that off the path: Rails < 7.0.4 does.
      attr_reader :script_name

      # What has to be known to revive it.
      def saved
        coder = holder.instance_variable_get(:@coder)
        saved = { tags: connection.logger.tags, protocol: holder.protocol,
          started_at: connection.instance_variable_get(:@started_at),
          request_id: request_id || holder.instance_variable_get(:@env)["action_dispatch.request_id"],
          script_name: script_name || holder.instance_variable_get(:@env)["SCRIPT_NAME"] }
        saved[:coder] = coder unless coder.equal?(ActiveSupport::JSON)
        saved[:ivars] = (connection.instance_variables - self.class::IVARS).to_h { |name| [ name, connection.instance_variable_get(name) ] }
        saved
      end

      def restore(saved)
        connection.logger.add_tags(*saved[:tags])
        holder.instance_variable_set(:@protocol, saved[:protocol])
        holder.instance_variable_set(:@coder, saved[:coder]) if saved.key?(:coder)
        connection.instance_variable_set(:@started_at, saved[:started_at])
        @request_id, @script_name = saved.values_at(:request_id, :script_name)
        saved[:ivars].each { |name, value| connection.instance_variable_set(name, value) }
      end

      # The table of subscriptions: identifier => channel.
      def table
        connection.subscriptions.send(:subscriptions)
      end

      private
        # What has env, request and protocol.
        def holder
          connection
        end
    end

    # Rails' main branch, where a socket holds the connection.
    class SocketCable < Cable
      IVARS = %i[ @server @socket @logger @subscriptions @_internal_subscriptions @started_at ].freeze

      def self.open(server, env, socket)
        holder = ActionCable::Server::Socket.new(server, env)
        holder.instance_variable_set(:@websocket, socket)
        new(holder.connection, holder)
      end

      def self.revive(server, middleware_env, socket)
        holder = ActionCable::Server::Socket.allocate
        connection = server.config.connection_class.call.allocate
        { "@server": server, "@env": middleware_env.raw, "@coder": ActiveSupport::JSON,
          "@worker_pool": server.worker_pool, "@logger": logger(server), "@websocket": socket,
          "@connection": connection, "@cablestay_env": middleware_env
        }.each { |name, value| holder.instance_variable_set(name, value) }
        { "@server": server, "@socket": holder.extend(MiddlewareEnv::Lazy), "@logger": holder.logger,
          "@subscriptions": ActionCable::Connection::Subscriptions.new(connection), "@_internal_subscriptions": nil
        }.each { |name, value| connection.instance_variable_set(name, value) }
        new(connection, holder)
      end

      def initialize(connection, holder)
        super(connection)
        @holder = holder
      end

      def process
        holder.process
      end

      # Socket#handle_open without its buffer and registry, which the bridge has.
      def handle_open
        holder.instance_variable_set(:@protocol, holder.send(:websocket).protocol)
        connection.handle_open
      end

      # What the app's rescue_from does not handle, Rails' socket logs with the client's text, which Rails' own client
      # writes like this.
      def execute(command)
        connection.handle_incoming(command)
      rescue Exception => error # as Socket#dispatch_websocket_message
        connection.logger.error("Could not handle incoming message: #{JSON.generate(command).inspect} " \
          "[#{error.class} - #{error.message}]: #{Array(error.backtrace).first(5).join(" | ")}")
      end

      def disconnect
        connection.send(:disconnect)
      end

      # Base has one that does nothing, which is Rails' own.
      def disconnects?
        false
      end

      private
        attr_reader :holder
    end
  end
end
