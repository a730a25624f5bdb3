# frozen_string_literal: true

require "json"

module Cablestay
  # The members of an event's request, each checked when it is asked for.
  class Request
    attr_reader :id

    # The body as a string, or what it was parsed to.
    def initialize(body)
      @members = body.is_a?(String) ? parse(body) : object(body)
      check_contract
      @id = string("id")
    end

    def string(name)
      value = @members[name]
      value.is_a?(String) ? value : raise(BadRequest, "#{name} is #{told(value)}, not a string")
    end

    # A string, or nil where the member is missing or null.
    def optional_string(name)
      @members[name].nil? ? nil : string(name)
    end

    def list(name)
      value = @members[name]
      value.is_a?(Array) ? value : raise(BadRequest, "#{name} is #{told(value)}, not a list")
    end

    def number(name)
      value = @members[name]
      value.is_a?(Numeric) ? value : raise(BadRequest, "#{name} is #{told(value)}, not a number")
    end

    # A list of strings, or nil where the member is missing or null.
    def optional_strings(name)
      return if @members[name].nil?

      list(name).all?(String) ? list(name) : raise(BadRequest, "#{name} is not a list of strings")
    end

    def true?(name)
      @members[name] == true
    end

    # Which bridge asks; nil where it does not say, and takes no links.
    def bridge
      optional_string("bridge")
    end

    def handshake
      @handshake ||= Handshake.new(@members["handshake"])
    end

    private
      def parse(body)
        body = body.dup.force_encoding(Encoding::UTF_8)
        raise BadRequest, "the body is not UTF-8" unless body.valid_encoding?

        object(JSON.parse(body))
      rescue JSON::ParserError
        raise BadRequest, "the body is not JSON"
      end

      def object(members)
        members.is_a?(Hash) ? members : raise(BadRequest, "the body is #{told(members)}, not an object")
      end

      def check_contract
        version = @members["contract"]
        raise BadRequest, "contract is #{told(version)}, not an integer" unless version.is_a?(Integer)
        raise OtherContract, version unless version == CONTRACT
      end

      # Says the kind, not the value: a value may be a secret.
      def told(value)
        { NilClass => "missing", Hash => "an object", Array => "a list", String => "a string" }
          .fetch(value.class) { value.class.name.downcase }
      end
  end
end
