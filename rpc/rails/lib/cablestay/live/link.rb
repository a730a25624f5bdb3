# frozen_string_literal: true

require "json"
require "socket"
require "concurrent/ivar"

module Cablestay
  module Live
    # A connection with a bridge on which lines of JSON go both ways. See rpc/README.md, "Links".
    class Link
      HEAD = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: #{Links::PROTOCOL}\r\n\r\n"
      PATIENCE = 5 # seconds, for what is asked

      # +env+ and +app+ are those of the request that brought it.
      def initialize(bridge, env, app)
        @bridge, @env, @app = bridge, Handshake.carrier(env), app
        @outgoing = Outgoing.new { |why| close(why) }
        @reading = Reading.new(settle: @outgoing.method(:flush)) { read }
        @asked = {}
        @asking = Mutex.new
      end

      def start(io, answer)
        @io = io
        io.setsockopt(:SOCKET, :KEEPALIVE, true) if io.respond_to?(:setsockopt) # a bridge may go without a word
        io.setsockopt(:TCP, :NODELAY, true) if io.is_a?(TCPSocket) # or the second of two answers waits 40 ms for the first to be acknowledged
        io.write("#{HEAD}#{line(worker: Live.worker, threads: Live.jobs.size, answer: answer)}")
        @incoming = Incoming.new(io)
        @outgoing.start(io)
        @reading.start
      rescue IOError, SystemCallError => error
        close(error)
      end

      # False where the link has ended.
      def send_line(message)
        @outgoing.put(line(message))
      end

      # Has everything been sent?
      def written?
        @outgoing.written?
      end

      # The bridge's open connections, as it answers; none where it does not.
      def connections(states: false)
        ask("connections", states: states)&.fetch("connections", nil) || []
      end

      # What the bridge answers; nil where it does not.
      def ask(what, **members)
        id, answer = SecureRandom.hex(8), Concurrent::IVar.new
        @asking.synchronize { @asked[id] = answer }
        return unless send_line(ask: what, id: id, **members)

        RailsVersions.permitting_loads { answer.value(PATIENCE) } || unanswered(what)
      ensure
        @asking.synchronize { @asked.delete(id) }
      end

      private
        def line(message)
          "#{JSON.generate(message)}\n"
        end

        # One line; false at the end.
        def read
          return stop if @outgoing.ended?

          @outgoing.flush unless @incoming.any?
          line = @incoming.next or return close("the bridge has ended it")
          take(line)
        rescue IOError, SystemCallError, Incoming::TooLong => error
          close(error)
        end

        # In a fork, too.
        def stop
          @reading.end
          false
        end

        def take(line)
          handle(JSON.parse(line))
          true
        rescue JSON::ParserError # whose message would have what users send each other
          close("a line was not JSON")
        rescue StandardError => error # a line that is not of the contract
          close(error)
        end

        def handle(message)
          if (event = message["event"])
            run(event, message["request"])
          elsif (hold = message["attach"])
            found = Holds.find(hold)
            found ? found.attach : send_line(gone: hold)
          elsif (hold = message["drop"])
            Holds.drop(hold)
          elsif (asked = @asking.synchronize { @asked[message["id"]] })
            asked.try_set { message }
          end
        end

        # What could as well be a request does not wait here.
        def run(event, members)
          return if Live.jobs.here { @reading.busy { answer(event, members) } }

          if !members.is_a?(Hash) || members.key?("hold")
            Live.jobs.post { answer(event, members) }
          else
            send_line(id: members["id"], status: 503, error: "no thread is free")
          end
        end

        def answer(event, members)
          in_order(event, members) { answer_now(event, members) }
        end

        def in_order(event, members, &block)
          hold = Holds.find(members["hold"]) if event == "subscribe" && members.is_a?(Hash)
          hold ? hold.surroundings.outside.behind(members["identifier"], &block) : yield
        end

        def answer_now(event, members)
          answered = { status: 500, error: "the app has killed the thread of its event" }
          status, body = Dispatch.run(event, Request.new(members), @env, @app)
          answered = status == 200 ? { answer: body } : { status: status, error: body[:error] }
        rescue BadRequest, OtherContract => error
          answered = { status: 400, error: error.message }
        ensure
          message = { id: members.is_a?(Hash) ? members["id"] : nil, **answered }
          @outgoing.put(line(message), may_wait: @reading.goes_on? && @incoming.any?)
        end

        # The holds end with it: their connections are nobody's any more.
        def close(why)
          return stop if @outgoing.ended?

          @outgoing.end
          @reading.end
          Links.ended(@bridge, self)
          Cablestay.logger.info("a link with a bridge has ended: #{why.is_a?(Exception) ? "#{why.class}: #{why.message}" : why}")
          @asking.synchronize { @asked.each_value { |asked| asked.try_set { {} } } }
          Holds.abandon(@bridge)
          @io.close
          false
        rescue IOError, SystemCallError
          false
        end

        def unanswered(what)
          Cablestay.logger.warn("the bridge did not answer #{what}")
          nil
        end
    end
  end
end
