# frozen_string_literal: true

# The guide writes transmit(type: "x"). That is a Hash in Ruby 2.7 only; in Ruby 3 it is keywords, of which Rails' method has none
# but via, so it raises ArgumentError, on stock too. In Rails' own place, since an override in the channel is another matter.
ActiveSupport.on_load(:action_cable_channel) do
  with_hash = instance_method(:transmit)
  remove_method :transmit
  define_method(:transmit) { |data = nil, via: nil, **members| with_hash.bind_call(self, data || members, via: via) }
  private :transmit
end
