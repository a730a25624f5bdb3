# frozen_string_literal: true

module ActionCable
  module Server
    class Base
      # For sockets only.
      class SocketEventLoop < ActionCable::Connection::StreamEventLoop
        undef_method :post, :timer
      end

      def call(env)
        return config.health_check_application.call(env) if config.respond_to?(:health_check_path) && env["PATH_INFO"] == config.health_check_path

        setup_heartbeat_timer
        Socket.new(self, env).process
      end

      def executor
        mutex.synchronize { @executor ||= ThreadedExecutor.new(max_size: config.executor_pool_size || 10) }
      end

      def event_loop
        mutex.synchronize { @event_loop ||= SocketEventLoop.new }
      end

      # One connection that can't be closed does not keep the others open, and nothing of before is left.
      def restart
        each_connection do |connection|
          connection.close(reason: "server_restart")
        rescue => error
          logger&.error("Failed to close connection during restart: [#{error.class} - #{error.message}]")
        end

        mutex.synchronize do
          @heartbeat_timer&.shutdown
          @worker_pool&.halt
          @pubsub&.shutdown # first: the installed adapters end with what they have still to post
          @executor&.shutdown
          @heartbeat_timer = @worker_pool = @executor = @pubsub = nil
          connections_map.clear
        end
      end

      # The block makes the request, if a tag asks for it.
      def new_tagged_logger(request = nil)
        tags = config.log_tags.map do |tag|
          tag.respond_to?(:call) ? tag.call(request ||= yield) : tag.to_s.camelize
        end
        TaggedLoggerProxy.new(logger, tags: tags)
      end

      # X-Forwarded-Host counts, unlike before.
      def allow_request_origin?(env)
        origin = env["HTTP_ORIGIN"]
        return true if config.disable_request_forgery_protection
        return true if config.allow_same_origin_as_host && origin == own_origin(env)
        return true if Array(config.allowed_request_origins).any? { |allowed| allowed === origin }

        logger.error("Request origin not allowed: #{origin}")
        false
      end

      private
        def own_origin(env)
          request = ActionDispatch::Request.new(env)
          "#{request.ssl? ? "https" : "http"}://#{request.host_with_port}"
        end
    end
  end
end
