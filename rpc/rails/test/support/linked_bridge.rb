# frozen_string_literal: true

require "securerandom"
require "socket"

# A bridge that takes links: the web server gives it the other end of a pair of sockets.
class LinkedBridge < Bridge
  attr_reader :id, :lines

  # Of all lines, whether each is an answer, in the order in which they came.
  attr_reader :answers_in_order

  def initialize(app = Rails.application)
    super
    @id = SecureRandom.hex(4)
    @lines = Queue.new # what the worker has sent that nobody has waited for
    @answers_in_order = Queue.new
    @answers = Concurrent::Map.new # of events => queues; an answer may come before anybody waits for it
  end

  # The first answer comes along the new link.
  def post(event, body, token, **env)
    ours, theirs = UNIXSocket.pair
    answer = post_with(-> { theirs }, event, body)
    answer.status == -1 ? Answer.new(200, take_link(ours)["answer"]) : answer
  end

  # With a web server that gives connections away in its own way.
  def ask_with(hijack, event, id: Bridge.next_id, **members)
    post_with(hijack, event, JSON.generate({ contract: 1, id: id, **members }))
  end

  def post_with(hijack, event, body)
    body = JSON.generate({ bridge: id }.merge(JSON.parse(body)))
    token = Bridge.proof(event, body, JSON.parse(body)["id"])
    response = Rack::MockRequest.new(@app).post("/_cablestay/#{event}", input: body, "HTTP_AUTHORIZATION" => "Bearer #{token}",
      "HTTP_UPGRADE" => "cablestay-link", "rack.hijack?" => true, "rack.hijack" => hijack)
    Answer.new(response.status, response.status == -1 ? nil : JSON.parse(response.body))
  end

  def linked?
    !@link.nil?
  end

  # Along the link; waits for the answer.
  def ask_link(event, **members)
    request_id = Bridge.next_id
    send_line(event: event, request: { contract: 1, id: request_id, **members })
    line = answer_to(request_id).pop
    Answer.new(line["status"] || 200, line["answer"] || { "error" => line["error"] })
  end

  def send_line(message)
    send_lines(message)
  end

  # At once.
  def send_lines(*messages)
    @link.write(messages.map { |message| "#{JSON.generate(message)}\n" }.join)
  end

  # A queue, which will have it.
  def answer_to(event)
    @answers.compute_if_absent(event) { Queue.new }
  end

  # The next line that is no answer.
  def receive
    Timeout.timeout(10) { @lines.pop }
  end

  def close
    return if @link.nil? || @link.closed?

    @link.shutdown
    @reader.join
    @link.close
  end

  # It ends, and both sides live on.
  def forget_link
    close
    Timeout.timeout(10) { sleep 0.01 while Cablestay::Live::Links.of(id) }
    @link = nil
  end

  private
    def take_link(io)
      head = +""
      head << io.gets until head.end_with?("\r\n\r\n")
      raise head unless head.start_with?("HTTP/1.1 101 ") && head.include?("Upgrade: cablestay-link\r\n")

      first = JSON.parse(io.gets)
      @link = io
      @reader = Thread.new { read(io) }
      first
    end

    def read(io)
      while (line = io.gets)
        message = JSON.parse(line)
        @answers_in_order << message.key?("answer")
        message.key?("answer") || message.key?("error") ? answer_to(message["id"]) << message : @lines << message
      end
    rescue IOError, SystemCallError
      nil
    end
end
