# frozen_string_literal: true

require "net/http"
require_relative "free_port"

# A real Puma, in a process of its own.
class PumaServer
  attr_reader :port, :log

  def initialize(rackup, *options)
    @port = FreePort.find
    @log = "#{ENV.fetch("DUMMY_DATABASE")}.#{@port}.log"
    root = File.expand_path("../..", __dir__)
    @pid = Process.spawn({ "RUBYLIB" => File.join(root, "lib"), "DUMMY_LOG" => @log, "RUBYOPT" => nil },
      "puma", "-e", "production", "-C", "-", "-b", "tcp://127.0.0.1:#{@port}", *options, rackup,
      out: @log, err: [ @log, "a" ], chdir: root)
    FreePort.wait_for(@port, @pid)
  rescue RuntimeError
    warn File.read(@log) if File.exist?(@log)
    raise
  end

  # For Bridge: a Rack app that is really behind HTTP.
  def call(env)
    request = Net::HTTP::Post.new(env["PATH_INFO"], "Authorization" => env["HTTP_AUTHORIZATION"].to_s, "Content-Type" => "application/json")
    request.body = env["rack.input"].read
    response = http.request(request)
    [ response.code.to_i, { "content-type" => response["content-type"] }, [ response.body ] ]
  end

  def stop
    @http&.finish
    Process.kill("TERM", @pid)
    Process.wait(@pid)
  end

  private
    # Keep-alive, as the bridge's.
    def http
      @http ||= Net::HTTP.start("127.0.0.1", @port)
    end
end
