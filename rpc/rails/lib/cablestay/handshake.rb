# frozen_string_literal: true

require "concurrent/map"
require "stringio"

module Cablestay
  # The HTTP request that opened the connection, as Puma would have handed it to the app.
  class Handshake
    # What the web server says of itself, the same for a handshake as for the request that carries it.
    SERVER_KEYS = %w[ rack.version rack.multithread rack.multiprocess rack.run_once rack.errors
      SERVER_SOFTWARE SERVER_PROTOCOL GATEWAY_INTERFACE puma.config ].freeze
    CARRIER_KEYS = [ *SERVER_KEYS, "SCRIPT_NAME", "HTTP_VERSION" ].freeze
    UNPREFIXED = %w[ CONTENT_TYPE CONTENT_LENGTH ].freeze

    KEYS = Concurrent::Map.new # names of headers => members of an env
    MOST_KEYS, LONGEST_KEY = 200, 60

    def initialize(members)
      raise BadRequest, "handshake is not an object" unless members.is_a?(Hash)

      @method, @scheme, @path, @query, @remote_addr = %w[ method scheme path query remote_addr ].map do |name|
        value = members[name]
        value.is_a?(String) ? value : raise(BadRequest, "handshake.#{name} is not a string")
      end
      raise BadRequest, "handshake.path does not begin with /" unless @path.start_with?("/")

      @headers = checked_headers(members["headers"])
    end

    # A new env each time: middleware writes into it. +carrier+ is the env of the event's own request.
    def env(carrier)
      env = carrier.slice(*SERVER_KEYS)
      add_headers(env)
      add_request_line(env, carrier)
      add_server(env)
      env["rack.input"], env["rack.after_reply"] = empty_input, []
      env["rack.hijack?"], env["rack.hijack"] = true, method(:refuse_hijack)
      env
    end

    # What is used of the env of a handshake's carrier.
    def self.carrier(env)
      env.slice(*CARRIER_KEYS)
    end

    # The two members of an env that name its path, as they are below a mount: the router has its own way of splitting it.
    def self.below(script_name, env)
      path = env.fetch_values("SCRIPT_NAME", "PATH_INFO").join
      return {} unless script_name && path.start_with?(script_name)

      below = path.delete_prefix(script_name)
      { "SCRIPT_NAME" => script_name, "PATH_INFO" => below.empty? ? "/" : below }
    end

    private
      def checked_headers(pairs)
        well_formed = pairs.is_a?(Array) && pairs.all? do |pair|
          pair.is_a?(Array) && pair.size == 2 && pair.all?(String)
        end
        well_formed ? pairs : raise(BadRequest, "handshake.headers is not a list of pairs of strings")
      end

      def add_request_line(env, carrier)
        script_name = carrier["SCRIPT_NAME"].to_s
        script_name = "" unless @path == script_name || @path.start_with?("#{script_name}/")
        env["REQUEST_METHOD"], env["SCRIPT_NAME"], env["PATH_INFO"] = @method, script_name, @path.delete_prefix(script_name)
        env["QUERY_STRING"], env["REQUEST_PATH"], env["REMOTE_ADDR"] = @query, @path, @remote_addr
        env["REQUEST_URI"] = @query.empty? ? @path : "#{@path}?#{@query}"
        env["HTTP_VERSION"] = carrier["HTTP_VERSION"] if carrier.key?("HTTP_VERSION")
      end

      # A name with an underscore would pass for the one with a hyphen, which a proxy may have set or
      # removed for safety: it counts only where the other is not there, as in Puma.
      def add_headers(env)
        underscored, plain = @headers.partition { |name, _| name.include?("_") }
        collect(plain, env)
        collect(underscored, {}).each { |key, value| env[key] = value unless env.key?(key) || UNPREFIXED.include?(key) }
      end

      def collect(pairs, env)
        pairs.each do |name, value|
          key = env_key(name)
          separator = key == "HTTP_COOKIE" ? "; " : ", "
          env[key] = env.key?(key) ? "#{env[key]}#{separator}#{value}" : value
        end
        env
      end

      # The same few names in every event, but for those that a client makes up.
      def env_key(name)
        KEYS.fetch(name) do
          key = name.upcase.tr("-", "_")
          key = "HTTP_#{key}" unless UNPREFIXED.include?(key)
          KEYS[name.dup.freeze] = key.freeze if KEYS.size < MOST_KEYS && name.size <= LONGEST_KEY
          key
        end
      end

      def add_server(env)
        secure = secure?(env)
        name, port = env["HTTP_HOST"].to_s.match(/\A(\[[^\]]*\]|[^:]*)(?::(.*))?\z/m)&.captures
        env["SERVER_NAME"] = name.to_s.empty? ? "localhost" : name
        env["SERVER_PORT"] = port.to_s.empty? ? (secure ? "443" : "80") : port
        env["rack.url_scheme"] = secure ? "https" : "http"
        env["HTTPS"] = "https" if @scheme == "https"
      end

      def secure?(env)
        @scheme == "https" || env["HTTP_X_FORWARDED_PROTO"].to_s.start_with?("https") ||
          env["HTTP_X_FORWARDED_SCHEME"] == "https" || env["HTTP_X_FORWARDED_SSL"] == "on"
      end

      def empty_input
        StringIO.new("".b)
      end

      def refuse_hijack
        raise Error, "#{@path} took over the socket, but it is cablestay's: only Action Cable can be served there"
      end
  end
end
