# frozen_string_literal: true

require "json"
require "socket"
require "concurrent/atomic/atomic_fixnum"
require "concurrent/ivar"

module Cablestay
  module Live
    # A connection with a bridge on which lines of JSON go both ways. See rpc/README.md, "Links".
    class Link
      HEAD = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: #{Links::PROTOCOL}\r\n\r\n"
      LINE_LIMIT = 64 * 1024 * 1024 # bytes
      BACKLOG = 64 * 1024 * 1024 # bytes; a bridge that is so far behind reads no more
      PATIENCE = 5 # seconds, for what is asked

      # +env+ and +app+ are those of the request that brought it.
      def initialize(bridge, env, app)
        @bridge, @env, @app = bridge, Handshake.carrier(env), app
        @reading = Reading.new { read }
        @outgoing = Queue.new
        @waiting = Concurrent::AtomicFixnum.new # bytes of it
        @writing = Mutex.new
        @rest = +"" # of a line of which the kernel has taken a part; under the mutex
        @open = false
        @asked = {}
        @asking = Mutex.new
      end

      def start(io, answer)
        @io = io
        io.setsockopt(:SOCKET, :KEEPALIVE, true) if io.respond_to?(:setsockopt) # a bridge may go without a word
        io.setsockopt(:TCP, :NODELAY, true) if io.is_a?(TCPSocket) # else an answer waits until the one before it is acknowledged, which may take 40 ms
        io.write("#{HEAD}#{line(worker: Live.worker, threads: Live.jobs.size, answer: answer)}")
        @open = true
        Thread.new { write }.name = "cablestay link writer"
        @reading.start
      rescue IOError, SystemCallError => error
        close(error)
      end

      # False where the link has ended.
      def send_line(message)
        return false if @outgoing.closed?
        return close("the bridge does not read") if @waiting.value >= BACKLOG

        send_text(line(message))
        true
      rescue ClosedQueueError
        false
      rescue IOError, SystemCallError => error
        close(error)
      end

      # Has everything been sent?
      def written?
        @waiting.value.zero? || @outgoing.closed?
      end

      # The bridge's open connections, as it answers; none where it does not.
      def connections(states: false)
        id, answer = SecureRandom.hex(8), Concurrent::IVar.new
        @asking.synchronize { @asked[id] = answer }
        return [] unless send_line(ask: "connections", id: id, states: states)

        RailsVersions.permitting_loads { answer.value(PATIENCE) } || unanswered
      ensure
        @asking.synchronize { @asked.delete(id) }
      end

      private
        def line(message)
          "#{JSON.generate(message)}\n"
        end

        # At once where nothing is in front of it; what the kernel does not take is for the writer.
        def send_text(text)
          Thread.handle_interrupt(Object => :never) do # between a part and its rest
            next leave_to_writer(text) unless @open && @writing.try_lock

            begin
              next leave_to_writer(text) unless @waiting.value.zero?

              written = @io.write_nonblock(text, exception: false)
              @rest = text.byteslice((written.is_a?(Integer) ? written : 0)..)
              leave_to_writer("", @rest.bytesize) unless @rest.empty?
            ensure
              @writing.unlock
            end
          end
        end

        def leave_to_writer(text, size = text.bytesize)
          @waiting.increment(size)
          @outgoing << text
        end

        # Several lines in one go where several wait.
        def write
          while (lines = @outgoing.pop)
            lines = +lines
            lines << @outgoing.pop until @outgoing.empty? || lines.bytesize > 1 << 20
            @writing.synchronize do
              lines = @rest + lines
              @io.write(lines)
              @rest = +""
            end
            @waiting.decrement(lines.bytesize)
          end
        rescue IOError, SystemCallError => error
          close(error)
        end

        # One line; false at the end.
        def read
          line = @io.gets("\n", LINE_LIMIT) or return close("the bridge has ended it")
          take(line)
        rescue IOError, SystemCallError => error
          close(error)
        end

        def take(line)
          handle(JSON.parse(line.force_encoding(Encoding::UTF_8)))
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
            asked.try_set { message["connections"] }
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
          send_line(id: members.is_a?(Hash) ? members["id"] : nil, **answered)
        end

        # The holds end with it: their connections are nobody's any more.
        def close(why)
          return false if @outgoing.closed?

          @outgoing.close
          @reading.end
          Links.ended(@bridge, self)
          Cablestay.logger.info("a link with a bridge has ended: #{why.is_a?(Exception) ? "#{why.class}: #{why.message}" : why}")
          @asking.synchronize { @asked.each_value { |asked| asked.try_set { [] } } }
          Holds.abandon(@bridge)
          @io.close
          false
        rescue IOError, SystemCallError
          false
        end

        def unanswered
          Cablestay.logger.warn("the bridge did not say which connections are open")
          []
        end
    end
  end
end
