# frozen_string_literal: true

require "net/http"
require_relative "free_port"

# A real Puma, in a process of its own.
class PumaServer
  attr_reader :port

  def initialize(rackup, *options)
    @log = "#{ENV.fetch("DUMMY_DATABASE")}.puma.log"
    root = File.expand_path("../..", __dir__)
    @port, @pid = FreePort.serve do |free|
      Process.spawn({ "RUBYLIB" => File.join(root, "lib"), "DUMMY_LOG" => @log },
        "puma", "-e", "production", "-C", "-", "-b", "tcp://127.0.0.1:#{free}", *options, rackup,
        out: @log, err: [ @log, "a" ], chdir: root)
    end
  rescue RuntimeError => error
    raise "#{error.message}:\n#{File.read(@log)}"
  end

  # For Bridge: a Rack app that is really behind HTTP.
  def call(env)
    request = Net::HTTP::Post.new(env["PATH_INFO"], "Authorization" => env["HTTP_AUTHORIZATION"].to_s, "Content-Type" => "application/json")
    request.body = env["rack.input"].read
    response = http.request(request)
    [ response.code.to_i, { "content-type" => response["content-type"] }, [ response.body ] ]
  end

  # Puma 6.6 on Ruby 3.3 now and then hangs in the close of its own listener when it is told to end.
  def stop
    @http&.finish
    FreePort.stop(@pid)
  end

  private
    # Keep-alive, as the bridge's.
    def http
      @http ||= Net::HTTP.start("127.0.0.1", @port)
    end
end
