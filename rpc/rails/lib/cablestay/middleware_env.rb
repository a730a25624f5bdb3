# frozen_string_literal: true

module Cablestay
  # The env of a handshake after it was opened. The raw one is at hand; what the app's middleware and routes
  # put into it (session, Warden, path parameters …) is had by sending the handshake down them again, and that
  # only if the app asks.
  class MiddlewareEnv
    PATIENCE = 10 # seconds
    GLANCE = 0.02

    # For the object that holds env and request: the connection, or its socket.
    module Lazy
      def env
        @cablestay_env.full
      end

      def statistics
        @env = env
        super
      end
    end

    attr_reader :raw

    def initialize(raw, app)
      @raw, @app = raw, app
    end

    def full
      @full ||= through_middleware
    end

    private
      # On a thread of its own: the middleware opens and ends an execution, and this thread is in one.
      def through_middleware
        reached = nil
        env = @raw.merge(Endpoint::TAKEOVER => lambda do |_server, at_cable|
          reached = at_cable
          [ -1, {}, [] ]
        end)
        thread = Thread.new { HttpAnswer.new(@app.call(env), env).discard }
        thread.report_on_exception = false
        wait(thread) || raise(Error, "the app's middleware did not answer the handshake within #{PATIENCE} s")
        (reached || env).tap { |full| full.delete(Endpoint::TAKEOVER) }
      end

      # The app's code may have to be loaded meanwhile, which waits for threads that run it.
      def wait(thread)
        RailsVersions.permitting_loads { join(thread) }
      end

      # The middleware may need a database connection, and this thread may have the last one.
      def join(thread)
        deadline = now + PATIENCE
        until thread.join(GLANCE)
          return if now > deadline
          RailsVersions.release_wanted_connections
        end
        thread
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
  end
end
