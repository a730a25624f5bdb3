# frozen_string_literal: true

# Keeps things in its instance variables that only live in the process that made them.
class KeepingChannel < ApplicationCable::Channel
  def subscribed
    @count = 0
    journal "subscribed"
    Gate.pass(params[:gate]) if params[:gate]
    case params[:what]
    when "a proc" then @increase = -> { @count += 1 }
    when "a mutex" then @lock = Mutex.new
    when "a monitor" then @lock = Monitor.new
    when "a file" then @file = Tempfile.new("keeping")
    when "a thread" then start_thread
    when "a hash with a block" then @hash = Hash.new { |hash, key| hash[key] = "#{key} of #{device}" }
    end
  end

  def unsubscribed
    @file&.close!
    @thread&.kill
    journal "unsubscribed", count: @count
  end

  def use
    transmit({ used: used })
  end

  private
    def used
      case params[:what]
      when "a proc" then @increase.call
      when "a mutex", "a monitor" then @lock.synchronize { @count += 1 }
      when "a file" then write_line
      when "a thread" then ask_thread
      when "a hash with a block" then [ @hash[:it], @count += 1 ].last
      end
    end

    def write_line
      @file.puts "line"
      @file.flush
      File.readlines(@file.path).size
    end

    def start_thread
      @questions, @answers = Queue.new, Queue.new
      @thread = Thread.new do
        count = 0
        @answers << count += 1 while @questions.pop
      end
    end

    def ask_thread
      @questions << true
      @answers.pop
    end
end
