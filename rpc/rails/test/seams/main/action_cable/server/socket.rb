# frozen_string_literal: true

require "action_dispatch"

module ActionCable
  module Server
    # What a connection's transport is, and what it was opened with. Frames are made and read here; the connection has
    # Ruby's own values.
    class Socket
      attr_reader :server, :env, :protocol, :logger, :connection
      delegate :config, :event_loop, :pubsub, to: :server

      def initialize(server, env, coder: ActiveSupport::JSON)
        @server, @env, @coder, @protocol = server, env, coder, nil
        @worker_pool = server.worker_pool
        @logger = server.new_tagged_logger { request }
        @websocket = ActionCable::Connection::WebSocket.new(env, self, event_loop)
        @message_buffer = ActionCable::Connection::MessageBuffer.new(self)
        @connection = config.connection_class.call.new(server, self)
      end

      def process
        logger.info(%(Started #{request.request_method} #{about_request}))
        websocket.possible? && server.allow_request_origin?(env) ? take_over : refuse
      end

      def request
        @request ||= ActionDispatch::Request.new(defined?(Rails.application) && Rails.application ? Rails.application.env_config.merge(env) : env)
      end

      # Of the connection.

      def transmit(message)
        websocket.transmit(encode(message)) if websocket.alive?
      end

      def close(...)
        websocket.close(...) if websocket.alive?
      end

      def perform_work(receiver, method, *arguments)
        worker_pool.async_invoke(receiver, method, *arguments, connection: self)
      end

      # Of the WebSocket.

      def on_open
        send_async(:handle_open)
      end

      def on_message(message)
        message_buffer.append(message)
      end

      def on_error(message)
        logger.error("WebSocket error occurred: #{message}")
      end

      def on_close(_reason, _code)
        send_async(:handle_close)
      end

      def receive(text)
        send_async(:dispatch_websocket_message, text)
      end

      def send_async(method, *arguments)
        worker_pool.async_invoke(self, method, *arguments)
      end

      def dispatch_websocket_message(text)
        return logger.error("Ignoring message processed after the WebSocket was closed: #{text.inspect})") unless websocket.alive?

        connection.handle_incoming(decode(text))
      rescue Exception => error
        logger.error("Could not handle incoming message: #{text.inspect} [#{error.class} - #{error.message}]: " \
          "#{error.backtrace.first(5).join(" | ")}")
      end

      private
        attr_reader :websocket, :message_buffer, :worker_pool

        def encode(message)
          @coder.encode(message)
        end

        def decode(text)
          @coder.decode(text)
        end

        # Whether it was accepted or not.
        def handle_open
          @protocol = websocket.protocol
          connection.handle_open
          message_buffer.process!
          server.add_connection(connection)
        end

        def handle_close
          logger.info(finished_request_message)
          server.remove_connection(connection)
          connection.handle_close
        end

        def take_over
          logger.info("Successfully upgraded to WebSocket (#{about_upgrade})")
          websocket.rack_response
        end

        def refuse
          close
          logger.error("Failed to upgrade to WebSocket (#{about_upgrade})")
          logger.info(finished_request_message)
          [ 404, { Rack::CONTENT_TYPE => "text/plain; charset=utf-8" }, [ "Page not found" ] ]
        end

        def finished_request_message
          "Finished #{about_request}"
        end

        def about_request
          %("#{request.filtered_path}"#{websocket.possible? ? " [WebSocket]" : "[non-WebSocket]"} for #{request.ip} at #{Time.now})
        end

        def about_upgrade
          %w[ REQUEST_METHOD HTTP_CONNECTION HTTP_UPGRADE ].map { |name| "#{name}: #{env[name]}" }.join(", ")
        end
    end
  end
end
