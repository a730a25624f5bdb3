# frozen_string_literal: true

require "fileutils"
require "net/http"
require "securerandom"
require "socket"
require "uri"
require_relative "program"

# Redis, Rails on Puma and, unless stock, the bridge; started in this order and stopped in the opposite one.
class Stack
  CHAT = File.expand_path("..", __dir__)
  REPOSITORY = File.expand_path("../..", CHAT)

  # Where the repository is seen inside a root folder (.ci/rails-root).
  REPOSITORY_IN_ROOT = "/srv/cablestay"

  attr_reader :web_port, :cable_port, :redis_port, :folder, :secret_key_base

  def initialize(stock: false, rails_root: nil, web_port: nil, cable_port: nil, environment: "production")
    @stock, @rails_root, @environment = stock, rails_root, environment
    @web_port = web_port || free_port
    @cable_port = stock ? @web_port : cable_port || free_port
    @redis_port = free_port
    @ops_port = free_port
    @secret_key_base = SecureRandom.hex(64)
    @cablestay_secret = SecureRandom.hex(32)
    @name = "tmp/run/#{Time.now.strftime("%H%M%S")}-#{Process.pid}"
    @folder = File.join(CHAT, @name)
    FileUtils.mkdir_p @folder
    @programs = []
  end

  def stock? = @stock
  def web_url = "http://127.0.0.1:#{@web_port}"
  def cable_url = "ws://127.0.0.1:#{@cable_port}/cable"
  def ops_url = "http://127.0.0.1:#{@ops_port}"

  def start
    build_client
    build_bridge unless stock?
    start_redis
    prepare_database
    start_rails
    start_bridge unless stock?
    self
  end

  def start_redis
    start_program "redis", "redis-server", "--port", @redis_port.to_s, "--bind", "127.0.0.1",
      "--save", "", "--appendonly", "no", "--dir", @folder
    Program.wait_until("Redis", watching: @programs) { open?(@redis_port) }
  end

  def prepare_database
    # Seeds broadcast, as everything that makes a message does, so Redis comes first.
    rails! "db:migrate", *("db:seed" unless @environment == "test")
  end

  def start_rails
    # The specs' own process has the test adapter; a server never has.
    start_puma "rails", "-C", "config/puma.rb", env: rails_env.merge("CABLE_ADAPTER" => "redis")
    Program.wait_until("Rails at #{web_url}", within: 60, watching: @programs) { answers?("#{web_url}/login") }
  end

  # Stock Action Cable in a process of its own, as deploy/systemd/chat-cable.service starts it. It shares Redis with
  # the web, and nothing else.
  def start_standalone
    port = free_port
    start_puma "standalone", "-C", "-", "-b", "tcp://127.0.0.1:#{port}", "-e", @environment, "cable/config.ru", env: rails_env
    Program.wait_until("the standalone cable", within: 60, watching: @programs) { open?(port) }
    "ws://127.0.0.1:#{port}/cable"
  end

  # One bridge serves the Rails at web_url, started by us or, in the specs, by Capybara.
  def start_bridge(wait: true)
    start_program "cablestay", bridge_binary, "--listen", "127.0.0.1:#{@cable_port}", "--ops-listen", "127.0.0.1:#{@ops_port}",
      "--rails-url", web_url, env: { "CABLESTAY_SECRET" => @cablestay_secret }
    Program.wait_until("the bridge at #{ops_url}/readyz", watching: @programs) { answers?("#{ops_url}/readyz") } if wait
  end

  # Chromium and its driver are always this machine's; the address is what a remote Selenium wants.
  def start_chromedriver
    port = free_port
    start_program "chromedriver", "chromedriver", "--port=#{port}"
    Program.wait_until("chromedriver", watching: @programs) { answers?("http://127.0.0.1:#{port}/status") }
    "http://127.0.0.1:#{port}"
  end

  # Anything else that lives and ends with the stack.
  def start_program(name, *command, **options)
    @programs << Program.new(name, *command, dir: CHAT, log: File.join(@folder, "#{name}.log"), **options)
    @programs.last
  end

  def check
    @programs.each(&:check)
  end

  # True if every program ended when asked to.
  def stop
    @programs.reverse.map(&:stop).all?
  end

  def forget
    FileUtils.rm_rf @folder
  end

  # A command of the app's Ruby, here or in the root folder. It must not need this process's paths.
  def in_rails(*command)
    return command unless @rails_root

    [ File.join(REPOSITORY, ".ci/rails-root"), "--run", @rails_root, "-b", "#{REPOSITORY}:#{REPOSITORY_IN_ROOT}",
      "-C", "#{REPOSITORY_IN_ROOT}/examples/chat", "--", *command ]
  end

  def rails_env
    {
      "RAILS_ENV" => @environment,
      "RAILS_LOG_TO_STDOUT" => "1",
      "PORT" => @web_port.to_s,
      "REDIS_URL" => "redis://127.0.0.1:#{@redis_port}/1",
      "CHAT_DATABASE" => "#{@name}/chat.sqlite3",
      "SECRET_KEY_BASE" => @secret_key_base,
      "CABLE_URL" => cable_url,
      "CABLESTAY_SECRET" => (@cablestay_secret unless stock?)
    }
  end

  # One at a time: two runs share node_modules and the built files.
  def build_client
    alone do
      locked, installed = %w[package-lock.json node_modules/.package-lock.json].map { |file| File.join(CHAT, file) }
      run! "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error" if newer?(locked, than: installed)

      built = File.join(CHAT, "public/build/.vite/manifest.json")
      sources = Dir[File.join(CHAT, "app/javascript/**/*.*")] + [ locked, File.join(CHAT, "vite.config.js") ]
      run! "npm", "run", "build", "--silent" if sources.any? { |source| newer?(source, than: built) }
    end
  end

  # Go's own cache makes this quick when nothing has changed.
  def build_bridge
    return if ENV["CABLESTAY_BIN"]

    alone do
      run! "go", "build", "-o", bridge_binary, "./cmd/cablestay", dir: REPOSITORY, env: { "CGO_ENABLED" => "0" }
    end
  rescue Program::Failed => error
    raise unless error.message.include?("not installed") && File.exist?(bridge_binary)
  end

  private
    def bridge_binary
      ENV["CABLESTAY_BIN"] || File.join(REPOSITORY, "bin/cablestay")
    end

    # On Ruby 3.3, Puma 6.6 now and then hangs in closing a pipe when all its work is done (puma/puma#3677).
    def start_puma(name, *arguments, env:)
      start_program name, *in_rails("puma", *arguments), env: env, workers: "puma srv tp"
    end

    def rails!(*command)
      run!(*in_rails("ruby", "bin/rails", *command), env: rails_env)
    end

    def run!(*command, env: {}, dir: CHAT)
      log = File.join(@folder, "build.log")
      return if Program.run(env, *command, chdir: dir, in: File::NULL, out: [ log, "a" ], err: [ :child, :out ])

      raise Program::Failed, "#{command.join(" ")} failed:\n#{File.readlines(log).last(25).join}"
    end

    def alone
      File.open(File.join(CHAT, "tmp/build.lock"), File::CREAT | File::RDWR) do |file|
        file.flock File::LOCK_EX
        yield
      end
    end

    def newer?(file, than:)
      !File.exist?(than) || File.mtime(file) > File.mtime(than)
    end

    # Below those that the system gives to clients: one of them could have it by the time that the server starts. The UDP
    # port of the same number keeps it from all others who reserve theirs so (bridge/freeport does).
    def free_port
      port = rand(12_000...32_000)
      reservation = UDPSocket.new
      reservation.bind("127.0.0.1", port)
      TCPServer.open("127.0.0.1", port).close
      (@reservations ||= []) << reservation
      port
    rescue Errno::EADDRINUSE
      reservation.close
      retry
    end

    def open?(port)
      TCPSocket.open("127.0.0.1", port).close
      true
    rescue Errno::ECONNREFUSED
      false
    end

    def answers?(url)
      Net::HTTP.get_response(URI(url)).is_a?(Net::HTTPOK)
    rescue Errno::ECONNREFUSED, EOFError, Errno::ECONNRESET
      false
    end
end
