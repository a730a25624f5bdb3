# frozen_string_literal: true

module Cablestay
  module Live
    # The links of this process, one for each bridge.
    module Links
      PROTOCOL = "cablestay-link"
      LEAVE = 0.05 # seconds; in that time bridges have stopped to send what any process may run
      PATIENCE = 20 # seconds; for what runs when the process ends

      @links = {}
      @mutex = Mutex.new

      class << self
        def of(bridge)
          @mutex.synchronize { own[bridge] }
        end

        def all
          @mutex.synchronize { own.values }
        end

        # Does the request offer its connection, and can the web server give it away?
        def offered?(env)
          env["HTTP_UPGRADE"].to_s.casecmp?(PROTOCOL) && env["rack.hijack?"] && env["rack.hijack"] ? true : false
        end

        # Answers the request by making a link of its connection, unless there is one with this bridge. True where it did.
        def open(bridge, env, app, answer)
          return false unless bridge && offered?(env)

          link = Link.new(bridge, env, app)
          return false unless claim(bridge, link)

          begin
            io = given_away(env)
            link.start(io, answer)
            drain_at_exit
            true
          rescue StandardError => error # what was asked for has been done; the next event tries again
            Cablestay.log_exception("a connection could not become a link", error)
            ended(bridge, link)
            io&.close
            !io.nil? # without it, the web server can still answer
          end
        end

        def ended(bridge, link)
          @mutex.synchronize { own.delete(bridge) if own[bridge].equal?(link) }
        end

        # Before the process ends: what has come along links is run and answered, as Puma does with its requests.
        def drain
          return if all.empty?

          all.each { |link| link.send_line(ending: true) }
          sleep LEAVE
          deadline = now + PATIENCE
          sleep 0.005 until now > deadline || (Live.jobs.idle? && all.all?(&:written?))
        end

        private
          # Once for each process. What this one's forks inherit of it finds no links.
          def drain_at_exit
            @mutex.synchronize do
              at_exit { drain } unless @draining_at_exit == ::Process.pid
              @draining_at_exit = ::Process.pid
            end
          end

          def now
            ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
          end

          def given_away(env)
            env["rack.hijack"].call || env["rack.hijack_io"]
          end

          def claim(bridge, link)
            @mutex.synchronize { own.key?(bridge) ? false : own[bridge] = link }
          end

          # Under the mutex. The links of a process are not those of its forks.
          def own
            @links, @pid = {}, ::Process.pid unless @pid == ::Process.pid
            @links
          end
      end
    end
  end
end
