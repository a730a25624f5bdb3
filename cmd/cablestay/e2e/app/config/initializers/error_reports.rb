# frozen_string_literal: true

# Rails' error reporter, which came with Rails 7.0.
if Rails.respond_to?(:error)
  Rails.error.subscribe(Class.new do
    def report(error, **)
      Journal.record({ event: "reported", device: "errors", message: error.message })
    end
  end.new)
end
